"""What the bytes of audio files say of their length, where libsndfile would read too little.

Each module looks through one kind of file and gives its links: ranges of bytes that libsndfile
reads exactly, one after the other, with headers mended where they say too little.
"""
