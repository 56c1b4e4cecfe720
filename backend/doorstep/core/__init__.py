"""What every part stands on: database, outbox, jobs, access, blobs, money, time. Knows nothing of orders."""
