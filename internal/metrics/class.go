package metrics

// classes is how many classes of status there are, none included.
const classes = 6

// classOf is the place of a status in its class's array: 0 where none was
// sent, and for what is no status.
func classOf(status int) int {
	if class := status / 100; class >= 1 && class < classes {
		return class
	}
	return 0
}

func className(class int) string {
	return [classes]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}[class]
}
