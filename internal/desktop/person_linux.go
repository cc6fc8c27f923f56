package desktop

// firstPerson is UID_MIN of login.defs: lower ids are the system's.
const firstPerson = 1000
