"""Profile local: people come by invitation and log in with a password."""

from datetime import timedelta

import pytest

from letopis.local.issuer.state import invite

PASSWORD = "correct horse battery"


async def enrolled(issuer, login="olga"):
    code = invite(issuer.data_dir, login, "Olga", issuer.clock.at)
    answer = await issuer.http.post("/enrol", data={"code": code, "password": PASSWORD, "again": PASSWORD})
    assert "your password is set" in answer.text
    return code


class TestEnrol:
    async def test_a_password_is_set_once_and_kept_as_scrypt(self, start):
        issuer = start("local")
        code = await enrolled(issuer)
        stored = (issuer.folder / "users.json").read_text()
        assert "scrypt$32768$8$1$" in stored
        assert PASSWORD not in stored
        assert code not in stored
        again = await issuer.http.post("/enrol", data={"code": code, "password": PASSWORD, "again": PASSWORD})
        assert again.status_code == 400

    @pytest.mark.parametrize(("password", "again"), [("short", "short"), (PASSWORD, PASSWORD + "!"), ("", "")])
    async def test_a_bad_choice_keeps_the_invitation(self, start, password, again):
        issuer = start("local")
        code = invite(issuer.data_dir, "olga", "Olga", issuer.clock.at)
        answer = await issuer.http.post("/enrol", data={"code": code, "password": password, "again": again})
        assert answer.status_code == 400
        assert "Welcome, Olga" in (await issuer.http.get(f"/enrol?code={code}")).text

    async def test_an_invitation_lasts_a_day(self, start):
        issuer = start("local")
        code = invite(issuer.data_dir, "olga", "Olga", issuer.clock.at)
        issuer.clock.at += timedelta(hours=24, seconds=1)
        assert (await issuer.http.get(f"/enrol?code={code}")).status_code == 400

    async def test_the_demonstration_has_no_passwords(self, issuer):
        assert (await issuer.http.get("/enrol?code=x")).status_code == 404


class TestLogIn:
    async def test_the_right_password_lets_in(self, start):
        issuer = start("local")
        await enrolled(issuer)
        back = await issuer.code("olga", password=PASSWORD)
        tokens = (await issuer.redeem(back["code"])).json()
        assert (await issuer.verifier().verify(tokens["access_token"])).login == "olga"

    async def test_a_name_alone_does_not(self, start):
        issuer = start("local")
        await enrolled(issuer)
        page = await issuer.authorize()
        assert "Demonstration" not in page.text
        assert "Olga" not in page.text
        transaction = page.text.partition("name=transaction value='")[2].partition("'")[0]
        for login, password in (("olga", ""), ("olga", "wrong"), ("nobody", PASSWORD)):
            form = {"transaction": transaction, "login": login, "password": password}
            answer = await issuer.http.post("/authorize", data=form)
            assert (answer.status_code, "is wrong" in answer.text) == (401, True)

    async def test_guessing_gets_slower(self, start):
        issuer = start("local")
        await enrolled(issuer)
        page = await issuer.authorize()
        transaction = page.text.partition("name=transaction value='")[2].partition("'")[0]
        form = {"transaction": transaction, "login": "olga", "password": "wrong"}
        for _ in range(5):
            await issuer.http.post("/authorize", data=form)
        form["password"] = PASSWORD
        assert "Too many attempts" in (await issuer.http.post("/authorize", data=form)).text
        issuer.clock.at += timedelta(seconds=3)
        assert (await issuer.http.post("/authorize", data=form)).status_code == 303
