"""Files from outside: the one way in which the program opens what somebody else wrote."""
