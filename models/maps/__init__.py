"""Maps: the pool laid out on a plane so that similar images lie near each other, and stay where they are."""
