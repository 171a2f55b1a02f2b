// Original file: proto/synd/v1/synd.proto


export interface Directory {
}

export interface Directory__Output {
}
