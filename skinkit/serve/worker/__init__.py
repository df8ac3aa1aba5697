"""The worker: a process of its own that has the models, claims tasks from the table and answers them."""
