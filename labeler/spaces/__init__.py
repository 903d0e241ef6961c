"""The spaces of a workspace and its saved clusterings: numbers and names that live on from one making to the next."""
