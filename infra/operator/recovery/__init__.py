"""What keeps the data of a stack, and the way back where it was lost or spoilt all the same."""
