"""What every room speaks: whole-or-nothing files, errors, feature sets, vectors, results. No torch."""
