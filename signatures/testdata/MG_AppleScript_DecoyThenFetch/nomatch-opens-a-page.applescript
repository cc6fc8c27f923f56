open location "https://support.zoom.com/"
do shell script "date"
