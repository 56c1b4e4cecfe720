"""All tests of Doorstep; `tests.bench` is run by `make bench`."""
