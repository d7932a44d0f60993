"""OPA's library in this process, with its traps closed: for checks, tests and the loopback server."""

import re
from typing import Any

from letopis.common.policy.sources import Bundle, PolicyError

# The library parses the path as Rego, so nothing but plain names may reach it.
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")


class PolicyUndefined(PolicyError):
    """The document has no value for this input."""

    code = "policy.undefined"
    title = "The policy gives no answer"


class NotCompiled(PolicyError):
    """The modules do not compile together."""

    code = "policy.not_compiled"
    title = "The policy does not compile"


class Engine:
    """One bundle, compiled; another bundle is another engine, because data cannot be overwritten in place.

    Safe from several threads, which take turns. There is no time limit on an evaluation: who serves strangers
    runs it in a process that can be killed. Without `check` modules that do not compile are found by it, or fail
    every evaluation.
    """

    def __init__(self, bundle: Bundle, *, check: bool = True) -> None:
        try:
            import opa_bindings
        except ImportError as error:
            raise PolicyError(
                "the OPA library is not installed; install requirements/opa.txt or put `opa` on PATH"
            ) from error
        self.revision = bundle.revision
        self._undefined = opa_bindings.OpaUndefinedError
        self._error = opa_bindings.OpaError
        self._engine = opa_bindings.OpaEngine()
        try:
            for name in sorted(bundle.modules):
                self._engine.add_policy(name, bundle.modules[name])
            self._engine.add_data(bundle.data)
            if check:
                self.check()
        except self._error as error:
            self._engine.close()
            raise NotCompiled(str(error)) from error
        except NotCompiled:
            self._engine.close()
            raise

    def check(self) -> None:
        """NotCompiled if the modules do not compile together: the library takes them silently."""
        try:
            self._engine.eval_query("true")
        except self._error as error:
            raise NotCompiled(str(error)) from error

    def evaluate(self, path: str, input: Any = None) -> Any:
        """The document at a dotted path such as `letopis.registry.authorize`; PolicyUndefined, PolicyError."""
        if not _PATH.match(path):
            raise PolicyUndefined(f"{path!r} is not a path")
        try:
            return self._engine.eval_document(path, input)
        except self._undefined:
            raise PolicyUndefined(f"{path} is undefined") from None
        except self._error as error:
            raise PolicyError(str(error)) from error

    def close(self) -> None:
        self._engine.close()
