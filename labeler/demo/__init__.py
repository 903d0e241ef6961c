"""The demo: the whole main job on the sample catalogue, with a person (`attune demo`) or without (`--check`)."""
