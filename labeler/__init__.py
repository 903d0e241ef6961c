"""The people's side of Attune: settings, records, Label Studio, the web console, the command line."""
