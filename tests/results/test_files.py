"""Where results may be written: to plain files alone, at paths that say what they mean, and nothing else is touched."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.results.files import ResultFile, check_path

ROWS = [{"status": "sent"}, {"status": "failed"}]


def device(path: Path) -> None:
    """Make what /dev/null is; never the real one, which a failing test would replace."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes a device")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def link(path: Path) -> None:
    path.with_name("elsewhere").write_text("before")
    path.symlink_to(path.with_name("elsewhere"))


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "a device": device,
    "a pipe": os.mkfifo,
    "a socket": unix_socket,
    "a link": link,
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a link to a folder": lambda path: path.symlink_to(path.parent),
    "a folder": lambda path: path.mkdir(),
}


def all_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what is in a folder, by name: each thing's number and kind."""
    return {path.name: (path.lstat().st_ino, path.lstat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_plain_file_is_refused_and_left_as_it_is(tmp_path: Path, kind: str, scheme: str) -> None:
    path = tmp_path / "rows.jsonl"
    NO_FILES[kind](path)
    before = all_in(tmp_path)
    with pytest.raises(InvalidRequest, match=r"path: .* is a (symbolic link|device, a pipe or a socket|folder)"):
        ResultFile(f"{scheme}{path}", writer="me").write(iter(ROWS))
    assert all_in(tmp_path) == before


def test_what_came_there_meanwhile_is_refused_too_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "today" / "rows.jsonl"

    def rows() -> Iterator[dict[str, str]]:
        yield ROWS[0]
        os.mkfifo(path)
        yield ROWS[1]

    with pytest.raises(InvalidRequest, match="is a device, a pipe or a socket"):
        ResultFile(str(path), writer="me").write(rows())
    assert list(all_in(path.parent)) == ["rows.jsonl"]


def test_a_refusal_or_a_failure_leaves_no_folder_that_it_made(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield ROWS[0]
        raise ConnectionError

    (tmp_path / "there").mkdir()
    with pytest.raises(ConnectionError):
        ResultFile(f"{tmp_path}/there/new/today/rows.jsonl", writer="me").write(rows())
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_link_that_waits_under_the_hidden_files_name_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "somebodys"
    target.write_text("before")
    (tmp_path / ".rows.jsonl.part-me-1").symlink_to(target)
    assert ResultFile(f"{tmp_path}/rows.jsonl", writer="me").write(iter(ROWS)) == 2
    assert target.read_text() == "before"
    assert sorted(all_in(tmp_path)) == ["rows.jsonl", "somebodys"]


def test_a_folder_that_is_a_link_may_hold_results(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    assert ResultFile(f"{tmp_path}/results/rows.jsonl", writer="me").write(iter(ROWS)) == 2
    assert (tmp_path / "disk" / "rows.jsonl").read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("~/rows.jsonl", "nothing expands the ~"),
        ("~airflow/rows.jsonl", "nothing expands the ~"),
        ("results/../../etc/rows.jsonl", r"climbs out of a folder with '\.\.'"),
        ("s3://aws_default@bucket/a/../b.jsonl", r"climbs out of a folder with '\.\.'"),
        ("file:///data/../etc/rows.jsonl", r"climbs out of a folder with '\.\.'"),
        ("rows\n.jsonl", "control characters"),
        ("rows\x1b2J.jsonl", "control characters"),
        (" ", "must be the path or URI of a file"),
    ],
)
def test_a_path_that_does_not_mean_what_it_says_is_refused_by_itself(path: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        check_path(path)


@pytest.mark.parametrize("path", ["a/..b/rows.jsonl", "a/b...jsonl", "s3://bucket/~old/rows.jsonl", "a~/rows.jsonl"])
def test_dots_and_tildes_inside_of_names_are_names(path: str) -> None:
    check_path(path)
