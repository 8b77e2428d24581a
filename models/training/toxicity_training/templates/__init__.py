"""Sentences written for this model: what comments lack, told with every group of people in turn."""
