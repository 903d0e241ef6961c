"""Do the posters say what a viewer will like next, and for which titles does nothing else say it?"""
