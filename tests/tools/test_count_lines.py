from count_lines import count_code, count_rooms, main

# The string of `text` is code, its blank line too; the one below `size` is a statement, not a docstring.
SOURCE = '''"""A docstring
of two lines."""

# A comment.
import os  # with a comment

text = """not

a docstring"""


class Thing:
    """One line."""

    size: int = 3
    """The size."""

    def method(
        self,  # the first

        other="#",
    ):
        "Another docstring."
        return [
            # only a comment
            other]
'''


def test_lines_of_a_file_made_by_hand():
    # import; text (3 lines); class; size; the string below it; def, self, other, ); return, other]
    assert count_code(SOURCE) == 1 + 3 + 1 + 1 + 1 + 4 + 2


def test_an_empty_file_and_a_docstring_alone_hold_no_code():
    assert count_code("") == count_code('"""Only\nthis."""\n') == 0


def test_rooms_and_total_are_printed(tmp_path, capsys):
    (tmp_path / "room" / "wing").mkdir(parents=True)
    (tmp_path / "room" / "a.py").write_text("a = 1\n\nb = 2\n")
    (tmp_path / "room" / "wing" / "b.py").write_text("c = 3\n")
    (tmp_path / "alone.py").write_text('"""Doc."""\nd = 4\n')
    assert count_rooms(tmp_path) == {"room": 3, "alone.py": 1}
    main([str(tmp_path)])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["alone.py", "1"],
        ["room", "3"],
        ["total", "4"],
    ]
