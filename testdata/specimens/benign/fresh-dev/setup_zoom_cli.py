from setuptools import setup

setup(
    name="zoom-cli-notes",
    version="0.3.1",
    description="Exports Zoom chat and recording lists with the official API",
    py_modules=["zoomnotes"],
    install_requires=["requests>=2"],
    entry_points={"console_scripts": ["zoomnotes=zoomnotes:main"]},
)
