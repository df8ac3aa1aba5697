"""The server of finished runs: an API over a table of tasks, with workers in processes of their own.

`skinkit serve` is one web process and N workers. The web process checks what comes in, writes a task with
its images into the table, and reads answers from it; it never loads TensorFlow. A worker is a fresh
interpreter that has loaded the models, claims waiting tasks from the table, several small ones at once, and
writes the answers back. The table is the truth and the only thing that the two share: `store` says what it
can do, and it is a file of SQLite, or a Redis for workers on other machines. Workers look into it 50 times a
second, so that no queue is needed beside it. Each worker says that it is alive; tasks of one that is lost
are put back once, by the web process, which also starts dead workers again and forgets what is too old.

    cli -> command, server, supervisor -> web (and its page) -> store <- worker

Not for clinical use.
"""
