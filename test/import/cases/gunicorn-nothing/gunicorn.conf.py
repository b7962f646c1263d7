# all as it is
