"""The abalone pipeline: how many rings (years) has a shell, judged by its size and weight?"""
