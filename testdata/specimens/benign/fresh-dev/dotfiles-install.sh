#!/bin/bash
# dotfiles: links everything, installs plug-in managers
cd "$(dirname "$0")" || exit 1
for f in .zshrc .gitconfig .vimrc; do ln -sf "$PWD/$f" "$HOME/$f"; done
[ -d ~/.oh-my-zsh ] || sh -c "$(curl -fsSL https://raw.githubusercontent.com/ohmyzsh/ohmyzsh/master/tools/install.sh)" "" --unattended
curl -fLo ~/.vim/autoload/plug.vim --create-dirs https://raw.githubusercontent.com/junegunn/vim-plug/master/plug.vim
command -v starship >/dev/null || curl -sS https://starship.rs/install.sh | sh -s -- -y
