cask "zoom-room-tools" do
  version "1.4.2"
  sha256 "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
  url "https://github.com/example-org/room-tools/releases/download/v#{version}/RoomTools.pkg"
  name "Room Tools"
  desc "Controls the lights of rooms with Zoom Rooms"
  homepage "https://github.com/example-org/room-tools"
  pkg "RoomTools.pkg"
  uninstall launchctl: "org.example.roomtools", pkgutil: "org.example.roomtools"
end
