' sends the list of room bookings every morning
Set x = CreateObject("MSXML2.ServerXMLHTTP.6.0")
x.Open "GET", "https://rooms.example-corp.com/api/today", False
x.Send
Set m = CreateObject("CDO.Message")
m.From = "rooms@example-corp.com"
m.To = "desk@example-corp.com"
m.Subject = "Meetings today"
m.TextBody = x.ResponseText
m.Send
