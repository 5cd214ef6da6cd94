"""The operator's file of programs: what it may say, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from driftline.core.errors import InputError, NotFoundError
from driftline.pipeline.programs import Program, read_programs
from driftline.processes.child import Limits


def written(folder: Path, text: str) -> Path:
    (folder / "programs.toml").write_text(text)
    return folder


def test_an_entry_has_a_command_limits_and_names_of_variables(tmp_path: Path) -> None:
    text = '[program.own]\nrun = ["/bin/own", "-x"]\ntime_limit = 5\nmemory_limit = 64\nenvironment = ["PROXY"]\n'
    found = read_programs(written(tmp_path, text + '[program."é"]\nrun = ["/x"]'.replace("é", "a.b-c_1")))
    assert found.find("own") == Program(("/bin/own", "-x"), 5.0, 64, ("PROXY",))
    assert found.find("own").limits == Limits(seconds=5.0, memory=64 << 20)
    assert found.find("a.b-c_1").limits == Limits(seconds=600.0, memory=1 << 30)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("[", "TOMLDecodeError"),
        ("\udcff", "UnicodeDecodeError"),
        ("[program.a]", "run"),
        ("[program.a]\nrun = []", "whole path"),
        ('[program.a]\nrun = ["sh"]', "whole path"),
        ('[program.a]\nrun = "/bin/sh"', "array"),
        ('[program.a]\nrun = ["/x"]\nshell = true', "shell"),
        ('[program.a]\nrun = ["/x"]\ntime_limit = 0', "time_limit"),
        ('[program.a]\nrun = ["/x"]\ntime_limit = nan', "time_limit"),
        ('[program.a]\nrun = ["/x"]\ntime_limit = inf', "time_limit"),
        ('[program.a]\nrun = ["/x"]\nmemory_limit = 1', "memory_limit"),
        ('[program."../a"]\nrun = ["/x"]', "cannot be the name of a program"),
        ('[programs.a]\nrun = ["/x"]', "programs"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, seen: str) -> None:
    (tmp_path / "programs.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"programs\.toml cannot be used") as caught:
        read_programs(tmp_path)
    assert seen in caught.value.evidence
    assert caught.value.hint


def test_a_name_that_is_not_there_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no program 'own'") as caught:
        read_programs(tmp_path).find("own")
    assert caught.value.evidence == "programs.toml names none"
    assert "[program.own] in programs.toml in the data folder" in caught.value.hint
    with pytest.raises(NotFoundError) as caught:
        read_programs(written(tmp_path, '[program.b]\nrun=["/b"]\n[program.a]\nrun=["/a"]')).check("/bin/sh -c ls")
    assert caught.value.evidence == "programs.toml names a, b"


def test_what_cannot_be_run_is_refused_before_it_has_to(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    text = f'[program.good]\nrun = ["{sys.executable}"]\n[program.gone]\nrun = ["/no/such"]\n'
    programs = read_programs(written(tmp_path, text + f'[program.plain]\nrun = ["{plain}"]\n'))
    programs.check("good")
    for name in ("gone", "plain"):
        with pytest.raises(InputError, match=f"the program {name} cannot be run"):
            programs.check(name)
