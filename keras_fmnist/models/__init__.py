"""The Keras models: their layers, their weights in files, and what is wrong with a net."""
