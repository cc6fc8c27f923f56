package unpack

import "errors"

func (d *disc) walkFAT() error {
	return errors.New("the image holds no file system that can be read")
}
