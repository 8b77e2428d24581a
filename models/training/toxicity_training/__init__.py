"""Makes the bundled model: from labelled comments to a folder that the model server loads."""
