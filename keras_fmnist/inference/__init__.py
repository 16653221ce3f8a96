"""What a trained net is used for: pictures, codes, other file formats."""
