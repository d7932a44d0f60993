"""The shared kernel: what two services use today and can be named without a banking or modelling noun."""
