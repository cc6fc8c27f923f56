# Puppet: Zoom on kiosks
class kiosk::zoom {
  $pkg = '/var/cache/zoom_amd64.deb'
  exec { 'fetch zoom': command => "/usr/bin/curl -fsSL -o ${pkg} https://zoom.us/client/latest/zoom_amd64.deb", creates => $pkg }
  package { 'zoom': ensure => installed, provider => dpkg, source => $pkg, require => Exec['fetch zoom'] }
}
