"""People of the issuer, and the nine of the demonstration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can log in.

    `roles` is what the demonstration grants them in the registry; tokens carry no roles.
    """

    login: str
    name: str
    person: str = ""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


DEMO = (
    # Anna owns her models too, so that it is the four eyes that refuse her own approval and not a missing role.
    Person(
        login="anna",
        name="Anna",
        person="anna",
        groups=("credit-risk",),
        roles=("data_scientist", "ml_engineer", "model_owner"),
    ),
    Person(login="boris", name="Boris", person="boris", groups=("credit-risk",), roles=("model_owner",)),
    Person(login="vera", name="Vera", person="vera", groups=("model-risk",), roles=("validator", "risk_officer")),
    Person(login="oleg", name="Oleg", person="oleg", groups=("contractors",), roles=("data_engineer",)),
    Person(login="irina", name="Irina", person="irina", groups=("internal-audit",), roles=("auditor",)),
    Person(login="pavel", name="Pavel", person="pavel", groups=("security",), roles=("security_officer",)),
    Person(login="olga", name="Olga", person="olga", groups=("operations",), roles=("operator", "administrator")),
    Person(login="rita", name="Rita", person="rita", groups=("supervision",), roles=("regulator",)),
    # Denis comes from a vendor; nobody has registered him yet.
    Person(login="denis", name="Denis", person="denis", groups=("contractors",)),
)
