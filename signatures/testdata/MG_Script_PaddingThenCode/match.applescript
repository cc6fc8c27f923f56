-- Zoom SDK support
-- Press the Run button to finish the update
mg-blank 52
do shell script "echo inert"
