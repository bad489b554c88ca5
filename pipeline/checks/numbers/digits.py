"""Compares the digits of two numbers as they are written."""


def only_digits(text: str) -> str:
    """Return the digits of a number without its signs and words."""
    return "".join(char for char in text if char.isdigit())


def is_one_edit(digits: str, other: str) -> bool:
    """Tell whether two numbers differ in one digit, or in the order of two digits that follow each other."""
    if len(digits) != len(other):
        return False
    places = [index for index, pair in enumerate(zip(digits, other, strict=True)) if pair[0] != pair[1]]
    if len(places) == 2 and places[1] == places[0] + 1:
        first, second = places
        return digits[first] == other[second] and digits[second] == other[first]
    return len(places) == 1
