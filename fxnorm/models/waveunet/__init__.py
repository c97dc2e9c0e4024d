"""The Wave-U-Net."""
