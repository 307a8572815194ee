"""The iris pipeline: which species is an iris, judged by the size of its petals and sepals?"""
