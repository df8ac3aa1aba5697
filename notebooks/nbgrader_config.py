"""How nbgrader makes and marks the course; `make course` puts it into course/."""

c = get_config()  # noqa: F821 (nbgrader hands it over)
c.CourseDirectory.course_id = "skinkit"
# What notebooks/build.py writes into the students' notebooks, too.
c.ClearSolutions.code_stub = {"python": "# your answer"}
# The parameters can be changed, for real images; marks are given with our own.
c.LockCells.lock_readonly_cells = False
# A check that somebody has deleted is put back.
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 600
