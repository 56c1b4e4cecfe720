"""The outside world's vendors, one file each, fulfilling `doorstep.ports` by one HTTP client."""
