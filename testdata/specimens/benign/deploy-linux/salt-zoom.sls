zoom:
  pkg.installed:
    - sources:
      - zoom: https://zoom.us/client/latest/zoom_amd64.deb
zoom-config:
  file.managed:
    - name: /etc/zoom/zoomus.conf
    - contents: |
        [General]
        EnableMiniWindow=false
