"""The credit journey: from data to a verified evidence pack, over HTTP only; `make demo` and the main test run it."""
