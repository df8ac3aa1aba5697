"""Random changes of training images: where their pixels lie, and their colours."""
