"""The pages under results/, written from the ledger."""
