package alert

// Record is one OCSF 1.8.0 Detection Finding (class 2004) with the profiles host
// and security_control, as far as this agent fills it. Names and numbers are
// those of the schema at https://schema.ocsf.io/1.8.0/classes/detection_finding.
// Unmapped stays the last field and Sum its last one: the checksum of a line of
// the log is put there, see seal.
type Record struct {
	ClassUID      int          `json:"class_uid"`
	ClassName     string       `json:"class_name"`
	CategoryUID   int          `json:"category_uid"`
	CategoryName  string       `json:"category_name"`
	ActivityID    int          `json:"activity_id"`
	ActivityName  string       `json:"activity_name"`
	TypeUID       int          `json:"type_uid"`
	Time          int64        `json:"time"` // milliseconds since 1970, UTC
	SeverityID    int          `json:"severity_id"`
	Severity      string       `json:"severity"`
	ConfidenceID  int          `json:"confidence_id"`
	Confidence    string       `json:"confidence"`
	RiskScore     int          `json:"risk_score"` // 0…100
	StatusID      int          `json:"status_id"`
	Status        string       `json:"status"`
	IsAlert       bool         `json:"is_alert"`
	ActionID      int          `json:"action_id"`
	Action        string       `json:"action"`
	DispositionID int          `json:"disposition_id"`
	Disposition   string       `json:"disposition"`
	Comment       string       `json:"comment,omitempty"` // of a note
	Message       string       `json:"message"`
	Metadata      Metadata     `json:"metadata"`
	FindingInfo   FindingInfo  `json:"finding_info"`
	Device        Device       `json:"device"`
	Evidences     []Evidence   `json:"evidences"`
	Observables   []Observable `json:"observables,omitempty"`
	Remediation   Remediation  `json:"remediation"`
	Unmapped      Unmapped     `json:"unmapped"`
}

// Metadata tells who wrote the record. UID identifies it, see recordUID.
type Metadata struct {
	Version   string      `json:"version"`
	Profiles  []string    `json:"profiles"`
	UID       string      `json:"uid"`
	EventCode string      `json:"event_code,omitempty"` // the strongest rule
	LogName   string      `json:"log_name"`
	Sequence  uint64      `json:"sequence,omitempty"` // as mg_seq
	Product   ProductInfo `json:"product"`
}

// ProductInfo names the agent and, as its feature, the rules it used.
type ProductInfo struct {
	Name       string   `json:"name"`
	VendorName string   `json:"vendor_name"`
	Version    string   `json:"version,omitempty"`
	Feature    *Feature `json:"feature,omitempty"`
}

// Feature is the rule set.
type Feature struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// FindingInfo is the finding. UID identifies it, see findingUID.
type FindingInfo struct {
	UID              string     `json:"uid"`
	Title            string     `json:"title"`
	Desc             string     `json:"desc"`
	CreatedTime      int64      `json:"created_time"`              // milliseconds since 1970, UTC
	FirstSeenTime    int64      `json:"first_seen_time,omitempty"` // when the file landed, if it was seen to
	Types            []string   `json:"types"`
	Analytic         *Analytic  `json:"analytic,omitempty"`
	RelatedAnalytics []Analytic `json:"related_analytics,omitempty"`
	Attacks          []Attack   `json:"attacks,omitempty"`
	DataSources      []string   `json:"data_sources,omitempty"`
}

// Analytic is a rule.
type Analytic struct {
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	UID    string `json:"uid"`
	Name   string `json:"name,omitempty"`
}

// Attack is one MITRE ATT&CK technique.
type Attack struct {
	Tactic       *Named `json:"tactic,omitempty"`
	Technique    *Named `json:"technique,omitempty"`
	SubTechnique *Named `json:"sub_technique,omitempty"`
}

// Named is an id with its name.
type Named struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

// Device is the machine of the finding.
type Device struct {
	TypeID   int    `json:"type_id"`
	Hostname string `json:"hostname"`
	UID      string `json:"uid,omitempty"`
	OS       *OS    `json:"os,omitempty"`
}

// OS is an operating system.
type OS struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
}

// Evidence is what the finding stands on.
type Evidence struct {
	Name    string   `json:"name,omitempty"`
	File    *File    `json:"file,omitempty"`
	Process *Process `json:"process,omitempty"`
	URL     *URL     `json:"url,omitempty"`
	User    *User    `json:"user,omitempty"`
}

// File is a file, or a member of a container if its path is relative.
type File struct {
	Name        string        `json:"name"`
	Path        string        `json:"path,omitempty"`
	TypeID      int           `json:"type_id"`
	Size        int64         `json:"size,omitempty"` // bytes
	CompanyName string        `json:"company_name,omitempty"`
	Hashes      []Fingerprint `json:"hashes,omitempty"`
	Signature   *Signature    `json:"signature,omitempty"`
}

// Fingerprint is a hash.
type Fingerprint struct {
	AlgorithmID int    `json:"algorithm_id"`
	Algorithm   string `json:"algorithm"`
	Value       string `json:"value"`
}

// Signature is a code signature that is there, whatever it is worth.
type Signature struct {
	AlgorithmID  int          `json:"algorithm_id"`
	Algorithm    string       `json:"algorithm,omitempty"`
	StateID      int          `json:"state_id"`
	State        string       `json:"state"`
	DeveloperUID string       `json:"developer_uid,omitempty"` // Apple Team ID
	Certificate  *Certificate `json:"certificate,omitempty"`
	CreatedTime  int64        `json:"created_time,omitempty"` // of the countersignature, milliseconds
}

// Certificate is the leaf of a signature.
type Certificate struct {
	Subject      string `json:"subject,omitempty"`
	Issuer       string `json:"issuer"`
	SerialNumber string `json:"serial_number"`
}

// Process is a launch.
type Process struct {
	PID              int        `json:"pid"`
	Name             string     `json:"name,omitempty"`
	File             *File      `json:"file,omitempty"`
	CmdLine          string     `json:"cmd_line,omitempty"` // redacted
	WorkingDirectory string     `json:"working_directory,omitempty"`
	CreatedTime      int64      `json:"created_time,omitempty"` // milliseconds
	User             *User      `json:"user,omitempty"`
	Ancestry         []Ancestor `json:"ancestry,omitempty"` // parent first
}

// Ancestor is a process that stands above another.
type Ancestor struct {
	PID  int    `json:"pid"`
	Name string `json:"name,omitempty"`
	Path string `json:"path,omitempty"`
}

// URL is a host that something came from; paths and queries are never kept.
type URL struct {
	URLString string `json:"url_string"` // the host again: the schema wants a url_string or a path
	Hostname  string `json:"hostname"`
}

// User is an account.
type User struct {
	Name string `json:"name"`
}

// Observable points at a value worth searching for.
type Observable struct {
	Name   string `json:"name"` // where in the record the value stands
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// Remediation says what to do.
type Remediation struct {
	Desc string `json:"desc"`
}

// Unmapped holds every fact that someone filters on as a flat scalar, because
// many log tools cannot look into arrays of objects. Its keys are part of the
// contract.
type Unmapped struct {
	Level       string   `json:"mg_level"`
	Brand       string   `json:"mg_brand"`
	Score       int      `json:"mg_score"`
	Rule        string   `json:"mg_rule"`
	Path        string   `json:"mg_path"`
	PathB64     string   `json:"mg_path_b64,omitempty"` // exact bytes, if Path is escaped
	Inner       string   `json:"mg_inner,omitempty"`
	SHA256      string   `json:"mg_sha256"`
	Format      string   `json:"mg_format"`
	Signature   string   `json:"mg_signature"`
	Signer      string   `json:"mg_signer"`
	TeamID      string   `json:"mg_team_id"`
	OSVerdicts  []string `json:"mg_os_verdicts,omitempty"` // what the operating system says of the signature
	Package     string   `json:"mg_package,omitempty"`     // manager and name of the package that owns the file
	Note        string   `json:"mg_note,omitempty"`        // a friend that does not allow it any more
	SourceHost  string   `json:"mg_source_host"`
	User        string   `json:"mg_user"`
	PID         int      `json:"mg_pid,omitempty"`
	CommandLine string   `json:"mg_command_line,omitempty"` // redacted
	Reasons     []string `json:"mg_reasons"`
	Rules       []string `json:"mg_rules,omitempty"`   // of each reason
	Weights     []int    `json:"mg_weights,omitempty"` // of each reason
	Story       []string `json:"mg_story,omitempty"`   // of a launch: the chain that it belongs to, oldest first
	Landed      string   `json:"mg_landed,omitempty"`  // of a launch: when what it runs came to a watched folder, and how that is known
	Gaps        []string `json:"mg_gaps,omitempty"`
	About       string   `json:"mg_about,omitempty"`       // of a note: metadata.uid of the alert that it is about
	State       string   `json:"mg_state,omitempty"`       // of a note: one of AckStates
	Disposition string   `json:"mg_disposition,omitempty"` // of a note: one of Dispositions
	Actor       string   `json:"mg_actor,omitempty"`       // of a note: LocalActor and an account
	Seq         uint64   `json:"mg_seq"`                   // 1, 2, 3 …: set by Log.Append
	Prev        string   `json:"mg_prev"`                  // SHA-256 of the line before: set by Log.Append
	Sum         string   `json:"mg_sum,omitempty"`         // CRC-32C of the line: set by Log.Append
}
