"""What holds the house to its measures, and lays skeletons for what is added to it."""
