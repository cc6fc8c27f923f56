class meeting::webex (String $version = '45.2') {
  file { '/opt/pkgs': ensure => directory }
  exec { 'fetch webex':
    command => "/usr/bin/curl -fsSLo /opt/pkgs/Webex-${version}.deb https://binaries.webex.com/WebexDesktop-Ubuntu-Official-Package/Webex.deb",
    creates => "/opt/pkgs/Webex-${version}.deb",
  }
  package { 'webex':
    ensure => latest, provider => dpkg, source => "/opt/pkgs/Webex-${version}.deb", require => Exec['fetch webex'],
  }
}
