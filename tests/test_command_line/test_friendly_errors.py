# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.command_line.friendly_errors import explain, run_command
from muscle_mm.evaluation import forgetting
from muscle_mm.utils.errors import UserError


def leave_with(error):
    def main():
        raise error

    with pytest.raises(SystemExit) as left:
        run_command(main)
    return left.value.code


def test_success_and_interruption_have_their_exit_codes():
    with pytest.raises(SystemExit) as left:
        run_command(lambda: None)
    assert left.value.code == 0
    assert leave_with(KeyboardInterrupt()) == 130


def test_names_that_are_no_text_are_printed(capsys):
    with pytest.raises(SystemExit) as left:
        run_command(lambda: print('R\udcf6ntgen.png'))
    assert left.value.code == 0
    assert capsys.readouterr().out == 'R\\udcf6ntgen.png\n'


def test_a_user_error_is_its_message_alone(capsys):
    assert leave_with(UserError('data/tbx is missing.')) == 1
    assert capsys.readouterr().err.splitlines()[0] == 'Error: data/tbx is missing.'


def test_a_user_error_is_found_behind_what_wraps_it():
    try:
        try:
            raise UserError('the real reason')
        except UserError as error:
            raise RuntimeError('class `X` in module: the real reason') from error
    except RuntimeError as outer:
        assert explain(outer) == 'the real reason'


def test_other_processes_say_which_they_are(monkeypatch, capsys):
    monkeypatch.setenv('RANK', '3')
    leave_with(UserError('no room'))
    assert 'Error (process 3): no room' in capsys.readouterr().err


def test_debug_shows_the_stack(monkeypatch):
    monkeypatch.setenv('MUSCLE_MM_DEBUG', '1')
    with pytest.raises(UserError):
        run_command(lambda: (_ for _ in ()).throw(UserError('no room')))


def test_value_errors_of_this_package_are_messages_and_others_are_defects():
    with pytest.raises(ValueError, match='visits') as raised:
        forgetting([[1.0]], [0, 1])
    assert explain(raised.value) == '1 rows of scores, but 2 visits.'
    with pytest.raises(ValueError, match='invalid literal') as foreign:
        int('x')
    assert explain(foreign.value) is None


def test_missing_files_are_messages():
    assert 'nowhere.json' in explain(FileNotFoundError(2, 'No such file', 'nowhere.json'))


def test_defects_keep_their_stack():
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)
