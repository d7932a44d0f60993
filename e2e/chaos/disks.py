"""Disks that are full: the journal's share, the journal's last byte, and the disk of PostgreSQL and NATS."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from e2e.chaos.place import Load, read_notes
from e2e.chaos.scenario import CannotRunError, NotStruckError, Run, Scenario
from e2e.chaos.world import EVERYBODY, World
from e2e.chaos.yard import Yard, until

from letopis.local.nats import replays

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 1 << 18, 2
MEGABYTE = 1 << 20
_libc = ctypes.CDLL(None, use_errno=True)
_own: list[bool] = []


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small file system of its own, seen by this process and its children; CannotRunError where it is forbidden."""
    if not _own:
        _own_mounts()
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0700".encode()
    if _libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options):
        raise CannotRunError(f"no small file system can be mounted here: {os.strerror(ctypes.get_errno())}")
    try:
        yield folder
    finally:
        _libc.umount2(str(folder).encode(), MNT_DETACH)


def _own_mounts() -> None:
    """From now on this process's mounts are its own business; an ordinary user needs a user namespace for it."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWNS):
        if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
            raise CannotRunError(f"this user may not mount anything: {os.strerror(ctypes.get_errno())}")
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", "ascii")
    if _libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise CannotRunError(f"mounts cannot be made private here: {os.strerror(ctypes.get_errno())}")
    _own.append(True)


@contextmanager
def ballast(folder: Path, leave: int = 0) -> Iterator[None]:
    """All but so many bytes of a file system are taken, until the end."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        disk = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, max(disk.f_bavail * disk.f_frsize - leave, 1))
        while not leave:
            file.write(bytes(4096))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def share_reached(yard: Yard, number: int) -> Run:
    """The journal's disk passes its share while nothing is sealed: scoring refuses; once sealed, it goes on."""
    with (
        World.of(yard, number, load=Load(batch=40)) as world,
        small_disk(world.place.folder / "small", 16) as small,
        # The share is looked at once a second; what is left above it MUST take a second's records.
        ballast(small, 3 * MEGABYTE),
    ):
        world.place = replace(world.place, journal=small / "journal", disk_share=0.9)
        # Without the chronicle no segment is covered, so none may be deleted.
        world.start("owner", "scorer", "writer")
        refused = until("refusals", lambda: _refused(world))
        decided = _decided(world)
        world.start("chronicle")
        until("decisions again", lambda: _decided(world) > decided + 5)
        world.strikes["journal.full"] += refused
        return world.verdict()


def _refused(world: World) -> int:
    told = read_notes(world.place.notes("decisions"))
    return sum(one.get("refused") == "journal.full" for one in told)


def _decided(world: World) -> int:
    return sum("facts" in one for one in read_notes(world.place.notes("decisions")))


def last_byte(yard: Yard, number: int) -> Run:
    """The disk ends in the middle of the journal: the worker ends without an answer, and nothing answered is lost."""
    with World.of(yard, number, load=Load(batch=20)) as world, small_disk(world.place.folder / "small", 4) as small:
        world.place = replace(world.place, journal=small / "journal")
        world.start(*EVERYBODY)
        world.under_way()
        with ballast(small, 4096 * world.rng.randint(0, 20)):
            code = until("the worker's end", lambda: _code(world))
            if code != 74:
                raise NotStruckError(f"the worker ended with {code}: {world.tail('scorer')}")
            world.strikes["no space"] += 1
            world.grown("registry", 4)
        world.start("scorer")
        return world.verdict()


def _code(world: World) -> int | None:
    return world.ended("scorer")


def servers_full(yard: Yard, number: int) -> Run:
    """The disk of PostgreSQL and NATS is full to the last byte under load; given room, they recover everything."""
    # JetStream makes no stream that may grow beyond the disk, and replays may take gigabytes.
    replays.MOST_BYTES = 32 * MEGABYTE
    with small_disk(yard.folder / "small", 320) as small:
        own = Yard(small, scratch=yard.folder)
        try:
            own.open()
            with World.of(own, number) as world:
                world.start(*EVERYBODY)
                world.under_way()
                with ballast(small):
                    until("PostgreSQL to meet the end of the disk", lambda: _complaints(small / "postgres.log"))
                world.strikes["no space"] += _complaints(small / "postgres.log")
                acknowledged = len(read_notes(world.place.notes("acks")))
                # A server that ended is started again, and JetStream is, which gives up for good on a full disk.
                own.mend()
                until("acknowledgements again", lambda: len(read_notes(world.place.notes("acks"))) > acknowledged + 3)
                return world.verdict()
        finally:
            own.close()


def _complaints(log: Path) -> int:
    return log.read_text("utf-8", "replace").count("No space left on device")


SCENARIOS = [
    Scenario(
        name="journal disk at its share",
        proves="scoring refuses when the journal's disk is at 90 %, and goes on once segments are sealed and deleted",
        play=share_reached,
        must=("journal.full",),
    ),
    Scenario(
        name="journal disk full",
        proves="the journal meets the end of its disk: the worker ends, nothing unrecorded was answered",
        play=last_byte,
        must=("no space",),
    ),
    Scenario(
        name="server disk full",
        proves="PostgreSQL and NATS meet the end of their disk; given room, nothing acknowledged is missing",
        play=servers_full,
        must=("no space",),
    ),
]
