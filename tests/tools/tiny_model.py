"""A next-scale model of random weights that makes an image in a few milliseconds."""

TINY = ["model.weights=random", "model.tokenizer=null", "model.transformer.depth=2", "model.transformer.width=32",
        "model.transformer.heads=2", "model.transformer.feed_forward_width=64", "model.transformer.text_channels=128",
        "model.transformer.text_max_tokens=8", "model.transformer.code_bits=4", "model.picture.schedule=[[1,1],[2,2],[3,3],[8,8]]",
        "model.vae.base_channels=4", "model.vae.channel_multipliers=[1,1,1]", "model.vae.norm_groups=2", "model.text.d_model=128",
        "model.text.layers=1", "model.text.heads=2", "model.text.d_kv=8", "model.text.d_ff=16"]
