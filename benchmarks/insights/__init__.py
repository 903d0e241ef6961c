"""Do insights hold? Placebos, false discoveries, winners and the sample ratio, on real randomised tests."""
